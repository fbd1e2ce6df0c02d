-- One row per week and market that does not have the link warning yet: what a rollout there
-- would be measured on.
SELECT
    complaints.market,
    complaints.week_starting,
    CAST(complaints.complaints AS DOUBLE PRECISION) * 1000 / complaints.active_accounts
        AS complaints_per_1000,
    complaints.active_accounts
FROM complaints
WHERE NOT EXISTS (
    SELECT 1
    FROM rollouts
    WHERE rollouts.market = complaints.market
        AND rollouts.intervention = 'link_warning'
)
