#!/usr/bin/env bash
# The step of action.yml: one run, three reports (annotations, SARIF, job summary). Everything comes from the environment.
set -uo pipefail
export PATH="$RUNNER_TEMP/stateward/bin:$PATH"
annotations=$RUNNER_TEMP/stateward-annotations.txt
summary=$RUNNER_TEMP/stateward-summary.md

arguments=(--format github --output "github=$annotations" --output "sarif=$STATEWARD_SARIF" --output "markdown=$summary")
[ -z "$STATEWARD_FAIL_ON" ] || arguments+=("--fail-on=$STATEWARD_FAIL_ON")
[ -z "$STATEWARD_SINCE" ] || arguments+=("--since=$STATEWARD_SINCE")
[ -z "$STATEWARD_CONFIG" ] || arguments+=("--config=$STATEWARD_CONFIG")
arguments+=(--)
while IFS= read -r path; do
  [ -z "$path" ] || arguments+=("$path")
done <<<"$STATEWARD_PATHS"

rm -f "$annotations" "$summary" "$STATEWARD_SARIF"
code=0
stateward check "${arguments[@]}" || code=$?

echo "exit-code=$code" >>"$GITHUB_OUTPUT"
# After a mistake in the configuration nothing was judged, and there is no report to hand on.
if [ -f "$summary" ]; then
  echo "sarif=$STATEWARD_SARIF" >>"$GITHUB_OUTPUT"
  echo "findings=$(grep -c '^::' "$annotations")" >>"$GITHUB_OUTPUT"
  cat "$summary" >>"$GITHUB_STEP_SUMMARY"
fi
exit "$code"
