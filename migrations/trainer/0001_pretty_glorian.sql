CREATE TABLE `evaluations` (
	`application` text NOT NULL,
	`id` text NOT NULL,
	`status` text NOT NULL,
	`step` text NOT NULL,
	`progress` real NOT NULL,
	`started_at` real NOT NULL,
	`updated_at` real NOT NULL,
	`input` text NOT NULL,
	`result` text,
	`reasons` text NOT NULL,
	`process` text NOT NULL,
	`checked_at` real NOT NULL,
	`holds_artifacts` integer NOT NULL,
	PRIMARY KEY(`application`, `id`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `evaluations_active` ON `evaluations` (`application`) WHERE status IN ('queued', 'running');--> statement-breakpoint
CREATE INDEX `evaluations_unfinished` ON `evaluations` (`checked_at`) WHERE holds_artifacts = 1;--> statement-breakpoint
CREATE INDEX `evaluations_by_age` ON `evaluations` (`updated_at`);--> statement-breakpoint
CREATE INDEX `evaluations_newest` ON `evaluations` (`application`,`started_at`);