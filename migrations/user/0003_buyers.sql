ALTER TABLE `interaction_totals` ADD `buyers` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `interactions` ADD `first_purchase` integer DEFAULT 0 NOT NULL;