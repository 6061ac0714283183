CREATE TABLE `key_changes` (
	`application` text PRIMARY KEY NOT NULL,
	`number` integer NOT NULL,
	`changed_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `key_changes_number` ON `key_changes` (`number`);--> statement-breakpoint
CREATE INDEX `key_changes_changed` ON `key_changes` (`changed_at`);--> statement-breakpoint
ALTER TABLE `api_keys` ADD `uncopied_since` integer DEFAULT 0;--> statement-breakpoint
CREATE INDEX `api_keys_uncopied` ON `api_keys` (`uncopied_since`) WHERE uncopied_since IS NOT NULL;