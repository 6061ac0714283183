CREATE TABLE `recalibrations` (
	`application` text NOT NULL,
	`id` text NOT NULL,
	`status` text NOT NULL,
	`step` text NOT NULL,
	`progress` real NOT NULL,
	`started_at` real NOT NULL,
	`updated_at` real NOT NULL,
	`parent` text,
	`version` text,
	`reasons` text NOT NULL,
	`figures` text NOT NULL,
	`process` text NOT NULL,
	`checked_at` real NOT NULL,
	`holds_artifacts` integer NOT NULL,
	PRIMARY KEY(`application`, `id`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `recalibrations_active` ON `recalibrations` (`application`) WHERE status IN ('queued', 'running');--> statement-breakpoint
CREATE INDEX `recalibrations_unfinished` ON `recalibrations` (`checked_at`) WHERE holds_artifacts = 1;--> statement-breakpoint
CREATE INDEX `recalibrations_by_age` ON `recalibrations` (`updated_at`);