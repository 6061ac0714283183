ALTER TABLE `models` ADD `origin` text;--> statement-breakpoint
ALTER TABLE `models` ADD `promoted_by` text;