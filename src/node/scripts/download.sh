# Sets downloader to what this machine downloads with. choose_downloader WORDS: what they add to its absence
choose_downloader() {
  if command -v curl >/dev/null; then
    downloader=curl
  elif wget --version 2>/dev/null | grep -q GNU; then
    downloader=wget
  elif command -v python3 >/dev/null; then
    downloader=python3
  else
    die no_downloader "this machine has neither curl nor GNU wget nor python3$1"
  fi
}
