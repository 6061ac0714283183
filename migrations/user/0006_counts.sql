CREATE TABLE `network_counts` (
	`day` integer NOT NULL,
	`application` text NOT NULL,
	`key` integer NOT NULL,
	PRIMARY KEY(`day`, `application`, `key`)
);
--> statement-breakpoint
ALTER TABLE `interactions` ADD `counts` integer DEFAULT 1 NOT NULL;