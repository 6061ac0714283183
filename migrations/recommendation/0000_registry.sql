CREATE TABLE `experiments` (
	`application` text NOT NULL,
	`name` text NOT NULL,
	`variants` text NOT NULL,
	`status` text NOT NULL,
	`created_at` real NOT NULL,
	PRIMARY KEY(`application`, `name`)
);
--> statement-breakpoint
CREATE TABLE `models` (
	`application` text NOT NULL,
	`version` text NOT NULL,
	`sha256` text NOT NULL,
	`status` text NOT NULL,
	`parent` text,
	`manifest` text NOT NULL,
	`metrics` text NOT NULL,
	`created_at` real NOT NULL,
	`promoted_at` real,
	PRIMARY KEY(`application`, `version`)
);
