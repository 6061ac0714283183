ALTER TABLE `erasures` RENAME COLUMN `person` TO `pseudonym`;--> statement-breakpoint
ALTER TABLE `erasures` RENAME COLUMN `epoch` TO `generation`;
