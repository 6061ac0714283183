-- WITHOUT ROWID (added by hand, drizzle-kit has no word for it): the primary key is the row, one write instead of two.
-- The rows of `interactions` move to `recent_interactions` page by page (workers/user/old-interactions.ts): a statement of
-- D1 may run for 30 seconds.
CREATE TABLE `bucket_changes` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`changed_table` text NOT NULL,
	`key` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `bucket_moves` (
	`bucket` integer PRIMARY KEY NOT NULL,
	`target` text NOT NULL,
	`requested_at` real NOT NULL,
	`detail` text DEFAULT 'waits' NOT NULL,
	`done_at` real
);
--> statement-breakpoint
CREATE TABLE `buckets` (
	`bucket` integer PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`move` text,
	`run` integer DEFAULT 0 NOT NULL,
	`locked_until` real DEFAULT 0 NOT NULL,
	`position` text
);
--> statement-breakpoint
CREATE TABLE `recent_interactions` (
	`user` integer NOT NULL,
	`id` blob NOT NULL,
	`time` integer NOT NULL,
	`marks` integer NOT NULL,
	`product` blob NOT NULL,
	`lat` blob,
	`lon` blob,
	`recommendation` blob,
	`copied_from` integer,
	PRIMARY KEY(`user`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `recent_interactions_by_time` ON `recent_interactions` (`user`,`time`,`id`);--> statement-breakpoint
CREATE TABLE `recounted_totals` (
	`application` text NOT NULL,
	`product_id` text NOT NULL,
	`hour` integer NOT NULL,
	`view` integer NOT NULL,
	`click` integer NOT NULL,
	`cart` integer NOT NULL,
	`purchase` integer NOT NULL,
	`dismiss` integer NOT NULL,
	`people` integer NOT NULL,
	`buyers` integer NOT NULL,
	PRIMARY KEY(`application`, `product_id`, `hour`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `refused_writes` (
	`elsewhere` integer,
	`locked` integer,
	`old` integer,
	CONSTRAINT "bucket_is_elsewhere" CHECK("elsewhere" IS NULL),
	CONSTRAINT "bucket_is_locked" CHECK("locked" IS NULL),
	CONSTRAINT "interactions_are_old" CHECK("old" IS NULL)
);
--> statement-breakpoint
CREATE TABLE `user_numbers` (
	`number` integer PRIMARY KEY NOT NULL,
	`application` text NOT NULL,
	`user_id` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `user_numbers_by_user` ON `user_numbers` (`application`,`user_id`);--> statement-breakpoint
CREATE TABLE `user_storage` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `erasures` ADD `bucket` integer;--> statement-breakpoint
CREATE INDEX `erasures_by_time` ON `erasures` (`erased_at`);