CREATE TABLE `scenarios` (
	`application` text NOT NULL,
	`name` text NOT NULL,
	`version` integer NOT NULL,
	`settings` text NOT NULL,
	`created_at` real NOT NULL,
	`is_current` integer NOT NULL,
	PRIMARY KEY(`application`, `name`, `version`)
);
