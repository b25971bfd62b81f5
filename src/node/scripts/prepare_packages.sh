# A part of a run's command, in the program's directory: installs the packages that the program needs, in an environment
# that runs with the same needs share, and puts it first in PATH. What it says stands in the run's log; when it fails, the run
# ends with status 125 and the program is not started.
# Parameters: ENVIRONMENTS (where they are kept) PACKAGES_FROM (a file that says what is needed, relative to here)
#   PACKAGES_KIND (requirements, script, pyproject, lock or conda: what PACKAGES_FROM is)
#   PACKAGES_LIST (for script, pyproject and lock: the same in pip's format) PACKAGES_PYTHON (a version specifier, or empty)
#   PACKAGES_KEY (of what is needed; the same for the same needs)
packages_say() { printf 'runctl: %s\n' "$*"; }
packages_fail() {
  rm -rf -- "$environment"
  packages_say "$*"
  exit 125
}

packages_tool=pip
packages_python=$(command -v python3)
if [ "$PACKAGES_KIND" = conda ]; then
  packages_tool=$(command -v micromamba || command -v mamba || command -v conda) ||
    { packages_say "$PACKAGES_FROM needs conda, mamba or micromamba, and this machine has none" && exit 125; }
elif packages_uv=$(command -v uv || command -v "$HOME/.local/bin/uv"); then
  packages_tool=uv
elif [ -z "$packages_python" ]; then
  packages_say "there is no python3 on this machine" && exit 125
fi

# One that another Python or another program made is another environment.
packages_state="$packages_tool $packages_python $("${packages_python:-true}" -c 'import sys; print(sys.version, sys.base_prefix)' 2>&1)"
environment=$ENVIRONMENTS/$PACKAGES_KEY-$(printf '%s' "$packages_state" | sha256sum | cut -c 1-12)
mkdir -p -- "$ENVIRONMENTS" && command exec 7>>"$environment.lock" ||
  { packages_say "cannot write $ENVIRONMENTS" && exit 125; }
flock -n 7 || { packages_say "another run installs the packages of $PACKAGES_FROM; waiting for it" && flock 7; }

install_with_conda() {
  CONDA_ALWAYS_YES=true MAMBA_ALWAYS_YES=true "$packages_tool" env create --prefix "$environment" --file "$PACKAGES_FROM" ||
    packages_fail "the packages of $PACKAGES_FROM cannot be installed: $packages_tool ended with status $?"
}

# It reads every kind of file itself, with the indexes and sources that are named in it, and fetches a Python that fits.
install_with_uv() {
  "$packages_uv" venv --quiet --system-site-packages ${PACKAGES_PYTHON:+--python "$PACKAGES_PYTHON"} "$environment" ||
    packages_fail "uv venv ended with status $?"
  packages_file=$PACKAGES_FROM
  if [ "$PACKAGES_KIND" = lock ]; then
    packages_file=$environment/requirements.txt
    "$packages_uv" export --quiet --frozen --no-emit-project --no-dev --directory "$(dirname -- "$PACKAGES_FROM")" \
      --output-file "$packages_file" || packages_fail "uv export ended with status $?"
  fi
  "$packages_uv" pip install --python "$environment/bin/python" --requirements "$packages_file" ||
    packages_fail "the packages of $PACKAGES_FROM cannot be installed: uv ended with status $?"
}

# What the machine's Python has counts, so that an image with PyTorch on it need not fetch it again; also when that Python is
# itself one of an environment, whose packages only a .pth file can show.
install_with_pip() {
  [ "$PACKAGES_KIND" != lock ] ||
    packages_say "this machine has no uv: the versions are those that $PACKAGES_FROM allows, not those of uv.lock"
  "$packages_python" -m venv --system-site-packages "$environment" ||
    packages_fail "python3 -m venv ended with status $? (on Debian and Ubuntu it is in a package: apt-get install python3-venv)"
  "$packages_python" -c '
import glob, os, site, sys
if sys.prefix != sys.base_prefix:
    for place in glob.glob(os.path.join(sys.argv[1], "lib", "python*", "site-packages")):
        with open(os.path.join(place, "machine.pth"), "w") as file:
            file.write("\n".join(site.getsitepackages()) + "\n")' "$environment" || packages_fail "cannot write $environment"
  if [ -n "$PACKAGES_PYTHON" ]; then
    "$environment/bin/python" -c '
import platform, sys
from pip._vendor.packaging.specifiers import SpecifierSet
if not SpecifierSet(sys.argv[1]).contains(platform.python_version(), prereleases=True):
    sys.exit("runctl: Python %s is needed, and this is %s; uv, where it is installed, fetches one that fits" % (
        sys.argv[1], platform.python_version()))' "$PACKAGES_PYTHON" || packages_fail "$PACKAGES_FROM cannot be satisfied"
  fi
  packages_file=$PACKAGES_FROM
  if [ "$PACKAGES_KIND" != requirements ]; then
    packages_file=$environment/requirements.txt
    printf '%s\n' "$PACKAGES_LIST" >"$packages_file" || packages_fail "cannot write $packages_file"
  fi
  "$environment/bin/python" -m pip install --no-input --disable-pip-version-check --requirement "$packages_file" ||
    packages_fail "the packages of $PACKAGES_FROM cannot be installed: pip ended with status $?"
}

if [ -e "$environment/.complete" ]; then
  packages_say "the packages of $PACKAGES_FROM are installed already, in $environment"
else
  rm -rf -- "$environment" # begun, and not ended
  packages_say "installing the packages of $PACKAGES_FROM in $environment, with ${packages_tool##*/}"
  case $PACKAGES_KIND-$packages_tool in
    conda-*) install_with_conda ;;
    *-uv) install_with_uv ;;
    *) install_with_pip ;;
  esac
  # Durable before it is called complete: after a loss of power it is there, or is made again.
  # (Amazon Linux 2's sync knows no -f, and writes back all filesystems.)
  case $(sync --help 2>&1) in *--file-system*) sync -f "$environment" ;; *) sync ;; esac
  : >"$environment/.complete" || packages_fail "cannot write $environment"
fi
exec 7>&-
PATH=$environment/bin:$PATH
if [ "$PACKAGES_KIND" = conda ]; then
  CONDA_PREFIX=$environment
  export CONDA_PREFIX
else
  VIRTUAL_ENV=$environment
  export VIRTUAL_ENV
fi
unset PYTHONHOME environment packages_tool packages_python packages_uv packages_state packages_file
