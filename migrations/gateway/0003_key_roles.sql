-- Keys of earlier versions have another format and can no longer be presented. `npm run deploy` creates a new admin key.
UPDATE `api_keys` SET `revoked_at` = unixepoch() WHERE `revoked_at` IS NULL;--> statement-breakpoint
UPDATE `api_keys` SET `role` = 'server' WHERE `role` = 'client';
