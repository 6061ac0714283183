CREATE TABLE `image_removals` (
	`application` text NOT NULL,
	`id` text PRIMARY KEY NOT NULL,
	`remove_at` real NOT NULL
);
--> statement-breakpoint
CREATE INDEX `image_removals_by_time` ON `image_removals` (`remove_at`);--> statement-breakpoint
CREATE TABLE `images` (
	`application` text NOT NULL,
	`product_id` text NOT NULL,
	`position` integer NOT NULL,
	`id` text NOT NULL,
	`sha256` text NOT NULL,
	`content_type` text NOT NULL,
	`bytes` integer NOT NULL,
	PRIMARY KEY(`application`, `product_id`, `position`)
);
