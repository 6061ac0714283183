CREATE TABLE `cities` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`country` text NOT NULL,
	`lat` real NOT NULL,
	`lon` real NOT NULL,
	`timezone` text NOT NULL,
	`population` integer NOT NULL,
	`area` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `cities_by_area` ON `cities` (`area`);--> statement-breakpoint
CREATE INDEX `cities_by_name` ON `cities` (`country`,`name`);