CREATE TABLE `development_markers` (
	`marker` text PRIMARY KEY NOT NULL
);
