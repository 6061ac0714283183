CREATE TABLE `uploads` (
	`application` text NOT NULL,
	`id` text NOT NULL,
	`started_at` real NOT NULL,
	`ended_at` real,
	PRIMARY KEY(`application`, `id`)
);
