CREATE TABLE `catalog_schemas` (
	`application` text PRIMARY KEY NOT NULL,
	`version` integer NOT NULL,
	`attributes` text NOT NULL,
	`changed` text NOT NULL,
	`position` text,
	`done` integer NOT NULL,
	`checked` integer NOT NULL,
	`published` integer NOT NULL,
	`updated_at` real NOT NULL
);
--> statement-breakpoint
CREATE INDEX `catalog_schemas_by_state` ON `catalog_schemas` (`done`);--> statement-breakpoint
ALTER TABLE `products` ADD `details` text DEFAULT '{}' NOT NULL;