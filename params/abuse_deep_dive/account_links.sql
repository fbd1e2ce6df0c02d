-- One row per account and thing that it uses: device, address block, means of payment. Accounts
-- that use the same thing are linked by it. Not every account has paid.
SELECT account_id, 'device' AS kind, device_hash AS token FROM accounts
WHERE device_hash IS NOT NULL
UNION ALL
SELECT account_id, 'address block' AS kind, ip_block AS token FROM accounts
WHERE ip_block IS NOT NULL
UNION ALL
SELECT account_id, 'payment' AS kind, payment_hash AS token FROM accounts
WHERE payment_hash IS NOT NULL
