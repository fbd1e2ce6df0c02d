-- The cases of the over-blocking: one row per action that a rule took in the window, in any market.
-- suspect: the item has a link and is of one of the two markets that the changed rule reached.
SELECT
    cases.item_id,
    cases.case_at,
    cases.actioned,
    cases.suspect,
    cases.account_id,
    cases.customer_id,
    cases.market,
    items.kind AS item_kind,
    cases.dose,
    cases.gross_usd AS gross,
    cases.recovered_usd AS recovered,
    cases.resolved_at
FROM incident_cases AS cases
JOIN items ON items.item_id = cases.item_id
WHERE cases.incident_id = 'over-blocking'
