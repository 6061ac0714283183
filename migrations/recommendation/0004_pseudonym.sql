DROP INDEX `outcomes_person`;--> statement-breakpoint
ALTER TABLE `outcomes` RENAME COLUMN `person` TO `pseudonym`;--> statement-breakpoint
CREATE INDEX `outcomes_by_pseudonym` ON `outcomes` (`application`,`pseudonym`);
