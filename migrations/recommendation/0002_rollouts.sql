CREATE TABLE `drift` (
	`application` text NOT NULL,
	`version` text NOT NULL,
	`day` text NOT NULL,
	`figures` text NOT NULL,
	`updated_at` real NOT NULL,
	PRIMARY KEY(`application`, `version`, `day`)
);
--> statement-breakpoint
CREATE TABLE `model_changes` (
	`application` text NOT NULL,
	`version` text NOT NULL,
	`seq` integer NOT NULL,
	`status` text NOT NULL,
	`by` text NOT NULL,
	`reason` text NOT NULL,
	`at` real NOT NULL,
	PRIMARY KEY(`application`, `version`, `seq`)
);
--> statement-breakpoint
CREATE TABLE `outcomes` (
	`application` text NOT NULL,
	`experiment` text NOT NULL,
	`person` text NOT NULL,
	`arm` text NOT NULL,
	`exposures` integer NOT NULL,
	`successes` integer NOT NULL,
	PRIMARY KEY(`application`, `experiment`, `person`, `arm`)
);
--> statement-breakpoint
CREATE INDEX `outcomes_person` ON `outcomes` (`application`,`person`);--> statement-breakpoint
CREATE TABLE `rollouts` (
	`application` text NOT NULL,
	`version` text NOT NULL,
	`shadow_at` real NOT NULL,
	`canary_at` real,
	`requests` integer DEFAULT 0 NOT NULL,
	`failures` integer DEFAULT 0 NOT NULL,
	`overlap` real DEFAULT 0 NOT NULL,
	`distance` real DEFAULT 0 NOT NULL,
	`verdict` text,
	PRIMARY KEY(`application`, `version`)
);
