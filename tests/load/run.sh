#!/usr/bin/env bash
# How many list calls the simulator answers, and how much memory it takes, with 100,000 open requests.
#
#     tests/load/run.sh [PROGRAM] [SECONDS]
#
# PROGRAM is target/release/ccwatch if it is not given; it runs on one core, wrk on another (apt-get install wrk curl). Fails
# if an answer is not what it should be, however fast: how fast it is says as much of the machine.
set -euo pipefail
folder=$(dirname "$(readlink -f "$0")")
program=${1:-"$folder/../../target/release/ccwatch"}
seconds=${2:-10}

cores=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
output=$(mktemp)
taskset -c "${cores%%[-,]*}" "$program" simulate --listen 127.0.0.1:0 --scenario "$folder/hundred_thousand.toml" \
    --seed 1 --clock manual >"$output" 2>/dev/null &
simulator=$!
trap 'kill "$simulator" 2>/dev/null || true; rm -f "$output"' EXIT
until [ -s "$output" ]; do
    kill -0 "$simulator"
    sleep 0.1
done
url=$(head -n 1 "$output")
curl --silent --show-error --fail --noproxy '*' --max-time 120 --output /dev/null "$url/_simulator/advance" -d '{"by": "101s"}'
sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/memory_megabytes \1/p' "/proc/$simulator/status" | awk '{ printf "%s %.0f\n", $1, $2 * 1024 / 1e6 }'

ticks() { awk '{ print $14 + $15 }' "/proc/$simulator/stat"; }
before=$(ticks)
told=$(taskset -c "${cores##*[-,]}" wrk --threads 1 --connections 16 --duration "${seconds}s" --script "$folder/list.lua" "$url/")
after=$(ticks)
told=$(grep -E '^[a-z0-9_]+ [0-9.]+$' <<<"$told")
echo "$told"
awk -v ticks=$((after - before)) -v hertz="$(getconf CLK_TCK)" \
    '$1 == "calls" { printf "cpu_microseconds_per_call %.0f\n", ticks / hertz * 1e6 / $2 }' <<<"$told"
grep -qx 'wrong 0' <<<"$told"
