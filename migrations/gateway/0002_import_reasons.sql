DROP INDEX `imports_status`;--> statement-breakpoint
ALTER TABLE `imports` ADD `reason` text;--> statement-breakpoint
CREATE INDEX `imports_updated` ON `imports` (`application`,`updated_at`);