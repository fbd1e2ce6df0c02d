-- The cases of the under-blocking: what a replay of the repaired rules would take (suspect), and a
-- draw of what it would not, in the two markets that the rules were half blind in.
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
WHERE cases.incident_id = 'under-blocking'
