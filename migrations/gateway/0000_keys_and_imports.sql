CREATE TABLE `api_keys` (
	`application` text NOT NULL,
	`id` text NOT NULL,
	`role` text NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`revoked_at` integer,
	PRIMARY KEY(`application`, `id`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_hash` ON `api_keys` (`hash`);--> statement-breakpoint
CREATE TABLE `imports` (
	`application` text NOT NULL,
	`name` text NOT NULL,
	`status` text NOT NULL,
	`done` integer NOT NULL,
	`total` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`application`, `name`)
);
--> statement-breakpoint
CREATE INDEX `imports_status` ON `imports` (`status`,`updated_at`);