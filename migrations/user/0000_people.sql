-- WITHOUT ROWID (added by hand, drizzle-kit has no word for it): the primary key is the row, one write instead of two.
CREATE TABLE `erasures` (
	`application` text NOT NULL,
	`person` text NOT NULL,
	`erased_at` real NOT NULL,
	PRIMARY KEY(`application`, `person`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `interaction_totals` (
	`application` text NOT NULL,
	`product_id` text NOT NULL,
	`hour` integer NOT NULL,
	`view` integer NOT NULL,
	`click` integer NOT NULL,
	`cart` integer NOT NULL,
	`purchase` integer NOT NULL,
	`dismiss` integer NOT NULL,
	`people` integer NOT NULL,
	PRIMARY KEY(`application`, `product_id`, `hour`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `interactions` (
	`application` text NOT NULL,
	`user_id` text NOT NULL,
	`event_id` text NOT NULL,
	`type` text NOT NULL,
	`product_id` text NOT NULL,
	`time` real NOT NULL,
	`lat` real,
	`lon` real,
	`recommendation_id` text,
	`first` integer NOT NULL,
	`batch` text NOT NULL,
	PRIMARY KEY(`application`, `user_id`, `event_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `interactions_newest` ON `interactions` (`application`,`user_id`,`time`,`event_id`);--> statement-breakpoint
CREATE TABLE `user_locations` (
	`application` text NOT NULL,
	`user_id` text NOT NULL,
	`seq` integer NOT NULL,
	`lat` real NOT NULL,
	`lon` real NOT NULL,
	`precision` text NOT NULL,
	`time` real NOT NULL,
	PRIMARY KEY(`application`, `user_id`, `seq`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `users` (
	`application` text NOT NULL,
	`user_id` text NOT NULL,
	`home_lat` real,
	`home_lon` real,
	`precision` text NOT NULL,
	`attributes` text NOT NULL,
	`settings_version` integer NOT NULL,
	`created_at` real NOT NULL,
	`updated_at` real NOT NULL,
	PRIMARY KEY(`application`, `user_id`)
) WITHOUT ROWID;
