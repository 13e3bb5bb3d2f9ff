# For get-*.sh, where a program is missing: `install_from_debian PACKAGE...`, where that can be done without asking.
# Elsewhere the script ends here, and the tests that need the program are skipped and say so, or fail where CI=true.
# Outside of CI it is tried once for each .venv: without a network each `make test` would wait seconds for it.
command -v apt-get >/dev/null || exit 0
tried=.venv/.tried-$(basename "$0" .sh)
[ -e "$tried" ] && [ "$CI" != true ] && exit 0
if [ "$(id -u)" = 0 ]; then
  as_root=
elif sudo -n true 2>/dev/null; then
  as_root="sudo -n"
else
  exit 0
fi

install_from_debian() {
  export DEBIAN_FRONTEND=noninteractive
  { $as_root apt-get update -qq && $as_root apt-get install -qq --no-install-recommends "$@"; } >/dev/null
}
