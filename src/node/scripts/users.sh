# Who uses a device: mounts in every mount namespace, and processes.

# Sets mounts, a line each: number, namespace, a pid in it, mount id, parent id, root in the filesystem, mount
# point (as escaped by the kernel), options, type, superblock options; between tabs. Own namespace first.
# A process under chroot sees only a part, so namespaces are told apart together with their processes' roots.
scan_mounts() {
  own_namespace=$(stat -L -c %i /proc/self/ns/mnt) || die script_failed "cannot read /proc"
  mounts=$({ echo "$own_namespace $$ self"
    stat -L -c '%d.%i %n' /proc/[0-9]*/root /proc/[0-9]*/ns/mnt 2>/dev/null | awk '
      { split($2, part, "/"); if (part[4] == "root") root[part[3]] = $1; else ns[part[3]] = $1 }
      END { for (pid in ns) if (!((ns[pid], root[pid]) in seen)) {
              seen[ns[pid], root[pid]] = 1; sub(/^.*\./, "", ns[pid]); print ns[pid], pid, pid } }'
  } | awk '
    { file = "/proc/" $3 "/mountinfo"
      while ((getline line < file) > 0) {
        n = split(line, f, " ")
        if (($1, f[1]) in seen) continue
        seen[$1, f[1]] = 1
        for (i = 7; i < n && f[i] != "-"; i++);
        printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
          f[3], $1, $2, f[1], f[2], f[4], f[5], f[6], f[i + 1], f[i + 3]
      }
      close(file) }')
}

# Sets mount_pid, mount_point, mount_root and mount_options of a mount of the device, our own namespace first; a
# read-write one before a read-only one, the whole filesystem before a part. None: mount_pid is empty.
find_mount() {
  scan_mounts
  mount_pid='' mount_point='' mount_options='' mount_root=''
  found=$(printf '%s\n' "$mounts" | number="$number" own="$own_namespace" awk -F '\t' "$json_awk"'
    $1 == ENVIRON["number"] {
      # By the options of the whole: a read-only mount of it may stand beside one that writes.
      rank = ($10 ~ /(^|,)ro(,|$)/ ? 0 : 4) + ($6 == "/" ? 2 : 0) + ($2 == ENVIRON["own"] ? 1 : 0) + 1
      if (rank > best) { best = rank; out = $3 "\t" $10 "\t" $6 "\t" unescape($7) } }
    END { printf "%s", out }')
  [ -n "$found" ] || return 0
  tab=$(printf '\t')
  mount_pid=${found%%"$tab"*} found=${found#*"$tab"}
  mount_options=${found%%"$tab"*} found=${found#*"$tab"}
  mount_root=${found%%"$tab"*} mount_point=${found#*"$tab"}
}

# scan_users NUMBER...: sets users, a line each: number, pid, kind (cwd, root, exe, fd, map, device); between
# tabs. Descriptors on the device itself that this script and its children hold are not counted.
scan_users() {
  users=
  wanted=
  patterns=
  for each in "$@"; do
    major=${each%:*} minor=${each#*:}
    wanted="$wanted $each $(((minor & 255) | (major << 8) | ((minor & ~255) << 12)))"
    patterns="$patterns${patterns:+
}$(printf ' %02x:%02x ' "$major" "$minor")"
  done
  [ -n "$wanted" ] || return 0
  listing=$(printf '%s\0' /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/exe /proc/[0-9]*/fd/* |
    timeout 30 xargs -0 stat -L -c '%d %f %t %T %n' 2>/dev/null)
  [ $? -ne 124 ] || die script_failed "looking at the open files of this machine took over 30 s"
  maps=$(grep -o -H -F "$patterns" /proc/[0-9]*/maps 2>/dev/null | sort -u)
  own_stat=$(cat /proc/$$/stat)
  # shellcheck disable=SC2086 # the fields after the command's name are numbers
  set -- ${own_stat##*) }
  users=$(printf '%s\n#\n%s\n' "$listing" "$maps" | wanted="$wanted" own_group="$3" awk '
    function hex(s,    i, n) {
      for (i = 1; i <= length(s); i++) n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
      return n + 0
    }
    function group_of(pid,    line, f) {
      if ((getline line < ("/proc/" pid "/stat")) <= 0) return ""
      close("/proc/" pid "/stat"); sub(/^.*\) /, "", line); split(line, f, " "); return f[3]
    }
    function found(number, pid, kind) {
      if (!((number, pid, kind) in seen)) { seen[number, pid, kind] = 1; print number "\t" pid "\t" kind }
    }
    BEGIN { n = split(ENVIRON["wanted"], w, " "); for (i = 1; i < n; i += 2) { by_dev[w[i + 1]] = w[i]; known[w[i]] = 1 } }
    $0 == "#" { in_maps = 1; next }
    !in_maps { split($5, part, "/")
      if ($1 in by_dev) found(by_dev[$1], part[3], part[4])
      number = hex($3) ":" hex($4)
      if ($2 ~ /^6...$/ && number in known) {
        group = group_of(part[3]) # "" when it is gone by now
        if (group != "" && group != ENVIRON["own_group"]) found(number, part[3], "device")
      }
      next }
    NF { split($1, part, "/"); split($2, d, ":"); found(hex(d[1]) ":" hex(d[2]), part[3], "map") }')
}

# scan_kernel_users NUMBER...: adds to users loop devices and swap on these devices, which no process has open.
scan_kernel_users() {
  for each in "$@"; do
    major=${each%:*} minor=${each#*:}
    on_it=$(((minor & 255) | (major << 8) | ((minor & ~255) << 12)))
    is_it=$(printf '%x:%x' "$major" "$minor")
    found=$(
      losetup -l -n -O NAME,BACK-MAJ:MIN 2>/dev/null | while read -r loop back; do
        [ "$back" != "$each" ] || printf '%s\tl%s\tloop\t%s\n' "$each" "$loop" "$loop"
      done
      while read -r swap _; do
        case $(stat -L -c '%d %t:%T' "$swap" 2>/dev/null) in
          "$on_it "* | *" $is_it") printf '%s\ts%s\tswap\t%s\n' "$each" "$swap" "$swap" ;;
        esac
      done </proc/swaps
    )
    users="$users${found:+
}$found"
  done
}

# Adds to users what NFS exports of the filesystem with number $1, from the kernel's table and exportfs's.
scan_exports() {
  points=$(printf '%s\n' "$mounts" | number="$1" own="$own_namespace" awk -F '\t' '
    $1 == ENVIRON["number"] && $2 == ENVIRON["own"] { print $7 }')
  [ -n "$points" ] || return 0
  # shellcheck disable=SC2086 # names of files
  found=$(cat ${RUNCTL_EXPORTS:-/proc/fs/nfsd/exports /var/lib/nfs/etab} 2>/dev/null |
    points="$points" number="$1" awk "$json_awk"'
    BEGIN { n = split(ENVIRON["points"], point, "\n") }
    /^\// && !($1 in seen) { seen[$1] = 1
      for (i = 1; i <= n; i++) if ($1 == point[i] || index($1, point[i] "/") == 1) {
        print ENVIRON["number"] "\te" NR "\texport\tthe NFS export " $1; break } }')
  users="$users${found:+
}$found"
}

# users_json NUMBER LIMIT: sets users_json (an array, one entry a process) and user_count, from `users`. Docker, Podman
# and containerd name the control groups of their containers after 64 hexadecimal digits.
users_json() {
  users_json=$(printf '%s\n' "$users" | number="$1" limit="$2" awk -F '\t' "$json_awk"'
    function container_of(pid,    file, line, at, kind, out) {
      file = "/proc/" pid "/cgroup"
      while ((getline line < file) > 0) {
        kind = line ~ /docker/ ? "docker" : line ~ /libpod/ ? "podman" : line ~ /containerd|kubepods/ ? "containerd" : "container"
        while (out == "" && (at = match(line, /[0-9a-f]+/)) > 0) {
          if (RLENGTH == 64) out = kind " " substr(line, at, 12)
          line = substr(line, at + RLENGTH)
        }
      }
      close(file)
      return out
    }
    $1 == ENVIRON["number"] { if (!($2 in kinds)) order[++n] = $2
      kinds[$2] = kinds[$2] (kinds[$2] == "" ? "" : ",") json($3); extra[$2] = $4 }
    END {
      for (i = 1; i <= n && i <= ENVIRON["limit"] + 0; i++) {
        id = order[i]; command = extra[id]; pid = id
        if (id ~ /^[0-9]+$/) {
          ask = "head -c 100 /proc/" id "/cmdline | tr \"\\000\\n\" \"  \"; echo; cat /proc/" id "/comm"
          ask = "{ " ask "; } 2>/dev/null"
          (ask | getline command); if (command == "") (ask | getline command); close(ask); sub(/ +$/, "", command)
        } else pid = 0
        container = pid ? container_of(pid) : ""
        out = out (i > 1 ? "," : "") "{\"pid\":" pid ",\"command\":" json(substr(command, 1, 300)) ",\"what\":[" kinds[id] "]" \
          (container == "" ? "" : ",\"container\":" json(container)) "}"
      }
      printf "[%s] %d", out, n }')
  user_count=${users_json##* }
  users_json=${users_json% *}
}

# mounts_json NUMBER [LIMIT [LONGEST]]: sets mounts_json, the device's mounts in all namespaces without repetition, and
# mount_count. At most LIMIT of them, with paths of at most LONGEST bytes.
mounts_json() {
  mounts_json=$(printf '%s\n' "$mounts" | number="$1" limit="${2:-20}" longest="${3:-4096}" own="$own_namespace" \
    awk -F '\t' "$json_awk"'
    function short(s) { return length(s) > longest ? substr(s, 1, longest) "..." : s }
    BEGIN { longest = ENVIRON["longest"] + 0 }
    $1 == ENVIRON["number"] {
      line = json(short(unescape($7))) ",\"root\":" json(short(unescape($6))) ",\"options\":" json($8) \
        ",\"read_only\":" ($8 ~ /^ro(,|$)/ ? "true" : "false") ",\"own_namespace\":" ($2 == ENVIRON["own"] ? "true" : "false")
      if ($7 $6 line in seen) next
      seen[$7 $6 line] = 1
      if (++n > ENVIRON["limit"] + 0) next
      out = out (n > 1 ? "," : "") "{\"mount_point\":" line ",\"pid\":" $3 "}" }
    END { printf "[%s] %d", out, n }')
  mount_count=${mounts_json##* }
  mounts_json=${mounts_json% *}
}
