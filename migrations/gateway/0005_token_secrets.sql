CREATE TABLE `token_secrets` (
	`number` integer PRIMARY KEY NOT NULL,
	`signs_from` integer NOT NULL
);
