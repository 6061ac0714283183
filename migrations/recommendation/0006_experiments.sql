-- WITHOUT ROWID (added by hand, drizzle-kit has no word for it): the primary key is the row, one write instead of two.
CREATE TABLE `experiment_users` (
	`application` text NOT NULL,
	`run` text NOT NULL,
	`pseudonym` text NOT NULL,
	`variant` text NOT NULL,
	`revision` integer NOT NULL,
	`lists` integer NOT NULL,
	`successes` integer NOT NULL,
	`orders` integer NOT NULL,
	`units` integer NOT NULL,
	`revenue` text NOT NULL,
	`diversity` real NOT NULL,
	`latency_ms` real NOT NULL,
	PRIMARY KEY(`application`, `run`, `pseudonym`, `variant`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `experiment_users_by_pseudonym` ON `experiment_users` (`application`,`pseudonym`);--> statement-breakpoint
CREATE TABLE `experiments` (
	`application` text NOT NULL,
	`name` text NOT NULL,
	`run` text NOT NULL,
	`definition` text NOT NULL,
	`exclusion_group` text NOT NULL,
	`slot_from` integer NOT NULL,
	`slot_to` integer NOT NULL,
	`starts_at` real NOT NULL,
	`ends_at` real,
	`created_at` real NOT NULL,
	PRIMARY KEY(`application`, `name`)
) WITHOUT ROWID;
