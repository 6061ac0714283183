-- Queries for operators on the Workers Analytics Engine dataset `vicinity_requests`, which has one data point per
-- request. workers/gateway/metering/analytics-meter.ts writes the data points.
--
--   index1   application          double1  HTTP status
--   blob1    route pattern        double2  latency, ms
--   blob2    method               double3  candidates ranked
--   blob3    code of a refusal
--   blob4    model version
--   blob5    stages left out or replaced, joined by a comma
--   blob6    application
--
-- The engine samples under load: a count is a sum of _sample_interval, and means and quantiles are weighted by it.
-- Run a query with:
--   curl "https://api.cloudflare.com/client/v4/accounts/$ACCOUNT/analytics_engine/sql" \
--     -H "Authorization: Bearer $API_TOKEN" -d "SELECT ..."

-- 1. Traffic, errors and latency by route in the past day.
SELECT
  blob2 AS method,
  blob1 AS route,
  SUM(_sample_interval) AS requests,
  SUM(IF(double1 >= 500, _sample_interval, 0)) / SUM(_sample_interval) AS failed,
  SUM(IF(double1 >= 400 AND double1 < 500, _sample_interval, 0)) / SUM(_sample_interval) AS refused,
  quantileExactWeighted(0.5)(double2, _sample_interval) AS p50_ms,
  quantileExactWeighted(0.95)(double2, _sample_interval) AS p95_ms,
  quantileExactWeighted(0.99)(double2, _sample_interval) AS p99_ms
FROM vicinity_requests
WHERE timestamp > NOW() - INTERVAL '1' DAY
GROUP BY method, route
ORDER BY requests DESC
FORMAT JSON;

-- 2. Requests, failures and rate limits by minute in the past hour.
SELECT
  toStartOfInterval(timestamp, INTERVAL '1' MINUTE) AS minute,
  SUM(_sample_interval) AS requests,
  SUM(IF(double1 >= 500, _sample_interval, 0)) AS failures,
  SUM(IF(double1 = 429, _sample_interval, 0)) AS limited
FROM vicinity_requests
WHERE timestamp > NOW() - INTERVAL '1' HOUR
GROUP BY minute
ORDER BY minute
FORMAT JSON;

-- 3. Recommendations, candidates and latency by model in the past hour.
SELECT
  blob6 AS application,
  blob4 AS model,
  SUM(_sample_interval) AS recommendations,
  SUM(double3 * _sample_interval) / SUM(_sample_interval) AS mean_candidates,
  quantileExactWeighted(0.5)(double2, _sample_interval) AS p50_ms,
  quantileExactWeighted(0.99)(double2, _sample_interval) AS p99_ms
FROM vicinity_requests
WHERE timestamp > NOW() - INTERVAL '1' HOUR AND blob4 != ''
GROUP BY application, model
ORDER BY recommendations DESC
FORMAT JSON;

-- 4. Recommendations by the stages that were left out or replaced, in the past day.
SELECT
  blob5 AS fallback,
  SUM(_sample_interval) AS recommendations
FROM vicinity_requests
WHERE timestamp > NOW() - INTERVAL '1' DAY AND blob4 != ''
GROUP BY fallback
ORDER BY recommendations DESC
FORMAT JSON;

-- 5. Refusals by code, route and application in the past day.
SELECT
  blob6 AS application,
  blob3 AS code,
  blob1 AS route,
  SUM(_sample_interval) AS refusals
FROM vicinity_requests
WHERE timestamp > NOW() - INTERVAL '1' DAY AND blob3 != ''
GROUP BY application, code, route
ORDER BY refusals DESC
LIMIT 50
FORMAT JSON;

-- 6. Requests and recommendations by application and day in the past month.
SELECT
  toStartOfInterval(timestamp, INTERVAL '1' DAY) AS day,
  blob6 AS application,
  SUM(_sample_interval) AS requests,
  SUM(IF(blob4 != '', _sample_interval, 0)) AS recommendations
FROM vicinity_requests
WHERE timestamp > NOW() - INTERVAL '30' DAY
GROUP BY day, application
ORDER BY day, application
FORMAT JSON;
