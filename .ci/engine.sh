# A container engine for the container tests, for a machine that has none running. To be sourced by .ci/run.
#
#   start_engine FOLDER   starts dockerd with all of its state in FOLDER and waits until it answers
#   import_consul BINARY VERSION   makes an image of a Consul program, with nothing but the libraries it needs
#   stop_engine FOLDER    ends the engine with all of its containers and removes FOLDER

ENGINE_PID_FILE=engine.pid

# The engine that the environment points to, or the machine's own.
engine_answers() { command -v docker >/dev/null && timeout 10 docker info >/dev/null 2>&1; }

start_engine() {
  local folder=$1
  if engine_answers; then
    echo "an engine answers already"
    return 0
  fi
  if ! command -v dockerd >/dev/null; then
    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends docker.io || return 1
  fi
  mkdir -p "$folder"
  dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/docker.pid" \
    -H "unix://$folder/docker.sock" >"$folder/dockerd.log" 2>&1 &
  echo $! >"$folder/$ENGINE_PID_FILE"
  local tries
  for tries in $(seq 1 300); do
    if DOCKER_HOST="unix://$folder/docker.sock" engine_answers; then
      echo "the engine answers"
      return 0
    fi
    kill -0 "$(cat "$folder/$ENGINE_PID_FILE")" 2>/dev/null || break
    sleep 0.1
  done
  cat "$folder/dockerd.log"
  return 1
}

# Prints the image's name. Made, not pulled: so the container tests run also where no image registry can be reached.
import_consul() {
  local binary=$1 version=$2 image="proconsul-test/consul:$2" root library
  root=$(mktemp -d)
  mkdir -p "$root/bin" "$root/tmp" "$root/etc" "$root/consul/data"
  cp "$binary" "$root/bin/consul"
  for library in $(ldd "$binary" 2>/dev/null | grep -o '/[^ ]*'); do
    mkdir -p "$root$(dirname "$library")" && cp -L "$library" "$root$library"
  done
  tar -C "$root" -c . | docker import --change 'ENTRYPOINT ["/bin/consul"]' \
    --change 'CMD ["agent","-dev","-client","0.0.0.0"]' --change 'EXPOSE 8500' - "$image" >&2 || return 1
  rm -rf "$root"
  echo "$image"
}

stop_engine() {
  local folder=$1 pid tries
  [ -f "$folder/$ENGINE_PID_FILE" ] || return 0
  pid=$(cat "$folder/$ENGINE_PID_FILE")
  kill "$pid" 2>/dev/null
  for tries in $(seq 1 200); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null
  # Mounts of containers that did not end in order would keep their folders busy.
  grep -o " $folder/[^ ]*" /proc/mounts | sort -r | xargs -r umount -l
  rm -rf "$folder"
}
