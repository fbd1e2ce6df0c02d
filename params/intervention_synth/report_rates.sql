-- One row per market and week: reports of harassment per 1,000 active accounts, how many accounts
-- that rests on, and the week in which the market got the reply limits (empty: never).
SELECT
    harassment_reports.market,
    harassment_reports.week_starting,
    CAST(harassment_reports.reports AS DOUBLE PRECISION) * 1000
        / harassment_reports.active_accounts AS reports_per_1000,
    harassment_reports.active_accounts,
    CAST(date_trunc('week', rollouts.started_at) AS DATE) AS limits_since
FROM harassment_reports
LEFT JOIN rollouts
    ON rollouts.market = harassment_reports.market
    AND rollouts.intervention = 'reply_limits'
