ALTER TABLE `products` ADD `price_minor` integer;--> statement-breakpoint
ALTER TABLE `products` ADD `group_id` text;--> statement-breakpoint
-- Added by hand: prices in minor units of their currency (the digits of shared/contracts/currency-digits.ts). The products
-- get a new version and an open outbox row, so that the spatial index receives their prices anew.
UPDATE `products` SET `version` = `version` + 1, `previous_cell` = NULL, `price_minor` = CAST(round(`price` * CASE
	WHEN `currency` IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1
	WHEN `currency` IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000
	WHEN `currency` IN ('CLF', 'UYW') THEN 10000
	ELSE 100 END) AS INTEGER) WHERE `price` IS NOT NULL;--> statement-breakpoint
INSERT INTO `outbox` (`application`, `product_id`, `version`, `sent_at`)
	SELECT `application`, `product_id`, `version`, 0 FROM `products` WHERE `price` IS NOT NULL
	ON CONFLICT DO UPDATE SET `version` = excluded.`version`, `sent_at` = 0;
