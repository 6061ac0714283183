ALTER TABLE `bucket_changes` ADD `bucket` integer DEFAULT -1 NOT NULL;--> statement-breakpoint
CREATE INDEX `bucket_changes_by_bucket` ON `bucket_changes` (`bucket`,`changed_table`,`seq`);