CREATE TABLE `experiment_sums` (
	`application` text NOT NULL,
	`run` text NOT NULL,
	`sums` text,
	`users` integer DEFAULT 0 NOT NULL,
	`computed_at` real DEFAULT 0 NOT NULL,
	`claimed_at` real NOT NULL,
	PRIMARY KEY(`application`, `run`)
);
