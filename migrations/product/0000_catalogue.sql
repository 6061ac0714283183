-- WITHOUT ROWID (added by hand, drizzle-kit has no word for it): the primary key is the row, one write instead of two.
CREATE TABLE `outbox` (
	`application` text NOT NULL,
	`product_id` text NOT NULL,
	`version` integer NOT NULL,
	`sent_at` real NOT NULL,
	PRIMARY KEY(`application`, `product_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `product_images` (
	`application` text NOT NULL,
	`product_id` text NOT NULL,
	`position` integer NOT NULL,
	`sha256` text NOT NULL,
	`content_type` text NOT NULL,
	`bytes` integer NOT NULL,
	PRIMARY KEY(`application`, `product_id`, `position`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `products` (
	`application` text NOT NULL,
	`product_id` text NOT NULL,
	`version` integer NOT NULL,
	`deleted` integer NOT NULL,
	`title` text NOT NULL,
	`category` text NOT NULL,
	`price` real,
	`currency` text,
	`discount` real NOT NULL,
	`rating` real,
	`lat` real,
	`lon` real,
	`available` integer NOT NULL,
	`attributes` text NOT NULL,
	`cell` text NOT NULL,
	`previous_cell` text,
	`created_at` real NOT NULL,
	`updated_at` real NOT NULL,
	PRIMARY KEY(`application`, `product_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `products_by_category` ON `products` (`application`,`category`,`product_id`);