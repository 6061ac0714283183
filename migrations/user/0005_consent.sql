-- The precision becomes nullable: null for users who stated none. Only events created the profiles of version 0.
CREATE TABLE `__new_users` (
	`application` text NOT NULL,
	`user_id` text NOT NULL,
	`home_lat` real,
	`home_lon` real,
	`precision` text,
	`attributes` text NOT NULL,
	`settings_version` integer NOT NULL,
	`created_at` real NOT NULL,
	`updated_at` real NOT NULL,
	`approximate_before` integer DEFAULT 0 NOT NULL,
	`city_before` integer DEFAULT 0 NOT NULL,
	`none_before` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`application`, `user_id`)
);
--> statement-breakpoint
INSERT INTO `__new_users`("application", "user_id", "home_lat", "home_lon", "precision", "attributes", "settings_version", "created_at", "updated_at") SELECT "application", "user_id", "home_lat", "home_lon", CASE WHEN "settings_version" = 0 THEN NULL WHEN "precision" = '1km' THEN 'approximate' ELSE "precision" END, "attributes", "settings_version", "created_at", "updated_at" FROM `users`;--> statement-breakpoint
DROP TABLE `users`;--> statement-breakpoint
ALTER TABLE `__new_users` RENAME TO `users`;--> statement-breakpoint
UPDATE `user_locations` SET "precision" = 'approximate' WHERE "precision" = '1km';
