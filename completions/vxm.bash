# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Completion of vxm for bash, loaded by bash-completion at the first "vxm <TAB>".

_vxm_verbs='start stop restart pause resume reset-hard snapshot list status log console monitor screenshot dsp
            exec cp alias shell init edit cat argv list-gpus gpu doctor fingerprint config reset'

_vxm_guests() {
    vxm list --names 2>/dev/null
}

# What a path on a machine begins with.
_vxm_machines() {
    _vxm_guests | sed 's/$/:/'
    echo spirit:
}

# Addresses of GPUs, out of the JSON that is for programs.
_vxm_devices() {
    vxm-bind --list --json 2>/dev/null | sed -n 's/^ *"address": "\([^"]*\)".*/\1/p'
}

# Presets of the product and of one's own.
_vxm_presets() {
    local file
    for file in /usr/lib/vxm/presets/*.guest /etc/vxm/presets/*.guest; do
        [[ ! -e $file ]] || basename "$file" .guest
    done
}

# What follows a verb: its options, what it takes at each place, and what kind of words these are.
_vxm_words() {
    local verb=$1 place=$2
    case $verb:$place in
        *:option)
            case $verb in
                status) echo --json --watch ;;
                list) echo --json --names ;;
                list-gpus) echo --json --tree --root ;;
                snapshot | dsp) echo --json ;;
                doctor | fingerprint) echo --json --root ;;
                edit | argv) echo --root ;;
                cat) echo --json --all --root ;;
                gpu) echo --json --dry-run --root ;;
                monitor) echo --qmp ;;
                exec) echo --timeout --no-input --raw ;;
                shell) echo --command ;;
                alias) echo --list --remove --system --json ;;
                config) echo --set-gpu --enable-binding --disable-binding --root ;;
                init)
                    echo --preset --gpu --memory --cpus --disk --iso --image --user --ssh-key --no-download --patience --yes --dry-run --root
                    ;;
                reset) echo --yes --disks --dry-run --root ;;
            esac
            echo --help --version
            ;;
        dsp:1) echo status console netjack-restart ;;
        gpu:1) echo status passthrough reclaim ;;
        gpu:2) _vxm_devices ;;
        snapshot:2) echo save load list delete ;;
        dsp:2) _vxm_guests ;;
        start:1 | stop:1 | restart:1 | pause:1 | resume:1 | reset-hard:1 | snapshot:1 | status:1 | log:1 | console:1 | monitor:1 | screenshot:1 | \
            alias:* | exec:1 | edit:1 | cat:1 | argv:1 | doctor:1 | config:1 | reset:1) _vxm_guests ;;
    esac
}

_vxm() {
    local current previous words cword verb='' place=0 i kind
    COMPREPLY=()

    # To bash alone a colon ends a word, and addresses of devices have them.
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n : -c current -p previous -w words -i cword
    else
        words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
        current=${words[cword]} previous=${words[cword - 1]}
    fi

    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
            -H | --host | --root | --preset | --memory | --cpus | --disk | --iso | --image | --user | --ssh-key | --patience | --gpu | --set-gpu | --timeout | \
                --command)
                ((i++))
                ;;
            -*) ;;
            *)
                if [[ -z $verb ]]; then
                    verb=${words[i]}
                fi
                place=$((place + 1))
                ;;
        esac
    done

    if [[ $current == -* ]]; then kind=option; else kind=$place; fi
    case $previous in
        -H | --host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$current") ;;
        --gpu | --set-gpu) mapfile -t COMPREPLY < <(compgen -W "$(_vxm_devices)" -- "$current") ;;
        --iso | --ssh-key) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
        --root) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
        --user) mapfile -t COMPREPLY < <(compgen -u -- "$current") ;;
        --preset) mapfile -t COMPREPLY < <(compgen -W "$(_vxm_presets)" -- "$current") ;;
        --memory | --cpus | --disk | --image | --patience | --timeout | --command) ;;
        *)
            if [[ -z $verb ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$_vxm_verbs --host --help --version" -- "$current")
            elif [[ $verb:$kind == screenshot:2 ]]; then
                mapfile -t COMPREPLY < <(compgen -f -- "$current")
            elif [[ $verb == cp && $kind != option ]]; then
                mapfile -t COMPREPLY < <(compgen -f -- "$current"; compgen -W "$(_vxm_machines)" -- "$current")
                [[ ${COMPREPLY[*]} != *: ]] || compopt -o nospace 2>/dev/null
            else
                mapfile -t COMPREPLY < <(compgen -W "$(_vxm_words "$verb" "$kind")" -- "$current")
            fi
            ;;
    esac
    if declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "$current"
    fi
}

complete -F _vxm vxm
