#!/bin/sh
# Fails where a new commit's subject breaks a rule of CONTRIBUTING.md. The history up to $kept stays as it is.
kept=a80ece2a1f8aeaac08774c550bb102eef16dafb3
git rev-parse --quiet --verify "$kept^{commit}" >/dev/null 2>&1 || {
  echo "the commits are not checked: this is no clone with its history" && exit 0
}
git log --format='%h %s' "$kept..HEAD" | awk '
  function fault(why) { print $1 ": " why ": " subject; faults = 1 }
  {
    subject = substr($0, length($1) + 2)
    if (length(subject) > 72) fault("expected at most 72 characters, got " length(subject))
    if (subject !~ /^[A-Z]/) fault("expected a capital letter at the start")
    if (subject ~ /[.;]$/ || subject ~ /;/) fault("expected one idea, without a semicolon or a full stop")
    if (subject ~ /(^| )\/[a-z]/) fault("expected no path of a machine")
    split(subject, words, " ")
    verb = words[1] ~ /:$/ ? words[2] : words[1]
    if (verb ~ /(ed|ing)$/ && verb !~ /^([Ss]peed|[Nn]eed|[Ff]eed|[Ss]eed|[Bb]ring|[Ss]ing|[Ss]tring)$/)
      fault("expected an imperative, got " verb)
  }
  END { exit faults }'
