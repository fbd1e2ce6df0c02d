-- One row per user report, with the market of the account that was reported.
SELECT
    reports.report_id,
    reports.reported_at,
    accounts.market
FROM reports
JOIN items ON items.item_id = reports.item_id
JOIN accounts ON accounts.account_id = items.account_id
