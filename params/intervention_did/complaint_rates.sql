-- One row per market and week: complaints per 1,000 active accounts, how many accounts that
-- rests on, and the week in which the market got the link warning (empty: never).
SELECT
    complaints.market,
    complaints.week_starting,
    CAST(complaints.complaints AS DOUBLE PRECISION) * 1000 / complaints.active_accounts
        AS complaints_per_1000,
    complaints.active_accounts,
    CAST(date_trunc('week', rollouts.started_at) AS DATE) AS warning_since
FROM complaints
LEFT JOIN rollouts
    ON rollouts.market = complaints.market
    AND rollouts.intervention = 'link_warning'
