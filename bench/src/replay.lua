-- wrk script: posts the lines of a file in their order, and again from the first when they are used up.
--   REQ_FILE   lines of QUERY TAB BODY
--   REQ_PATH   where they are posted to
local requests, count, last = {}, 0, 0

function init(args)
  local path = os.getenv("REQ_PATH")
  local headers = { ["Content-Type"] = "text/xml", ["Host"] = "127.0.0.1" }
  for line in io.lines(os.getenv("REQ_FILE")) do
    local query, body = line:match("^([^\t]*)\t(.*)$")
    count = count + 1
    requests[count] = wrk.format("POST", path .. "?" .. query, headers, body)
  end
end

function request()
  last = last % count + 1
  return requests[last]
end

function done(summary, latency, all)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.3f,"per_second":%.1f,"millis_50":%.3f,"millis_90":%.3f,"millis_99":%.3f,' ..
    '"millis_999":%.3f,"refused":%d,"broken":%d,"timed_out":%d}\n',
    summary.requests, summary.duration / 1e6, summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3,
    latency:percentile(99.9) / 1e3, e.status, e.connect + e.read + e.write, e.timeout))
end
