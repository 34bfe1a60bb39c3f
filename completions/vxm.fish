# SPDX-License-Identifier: BSD-3-Clause
# Completion of vxm for fish.

function __vxm_guests
    vxm list --names 2>/dev/null
end

function __vxm_devices
    vxm-bind --list --json 2>/dev/null | string replace --filter --regex '^ *"address": "([^"]*)".*' '$1'
end

# Presets of the product and of one's own.
function __vxm_presets
    for file in /usr/lib/vxm/presets/*.guest /etc/vxm/presets/*.guest
        string replace --regex '.*/(.*)\.guest$' '$1' $file
    end
end

# Whether that many words, the verb among them, are there already, but for options and what these take.
function __vxm_place
    set --local place 0
    set --local value no
    for word in (commandline --tokenize --cut-at-cursor --current-process)[2..]
        if test $value = yes
            set value no
        else if contains -- $word -H --host --root --preset --memory --cpus --disk --iso --image --user --ssh-key --patience --gpu --set-gpu --timeout --command
            set value yes
        else if not string match --quiet -- '-*' $word
            set place (math $place + 1)
        end
    end
    test $place -eq $argv[1]
end

function __vxm_at
    __fish_seen_subcommand_from $argv[2..]; and __vxm_place $argv[1]
end

complete --command vxm --no-files
complete --command vxm --condition '__vxm_place 0' --short-option H --long-option host --exclusive --arguments '(__fish_print_hostnames)' --description 'on another machine'
complete --command vxm --long-option help --description 'show help'
complete --command vxm --long-option version --description 'show the version'

complete --command vxm --condition '__vxm_place 0' --arguments 'start stop restart pause resume reset-hard snapshot list status log console
    monitor screenshot dsp exec cp alias shell init edit cat argv list-gpus gpu doctor fingerprint config reset'

complete --command vxm --condition '__vxm_at 1 start stop restart pause resume reset-hard snapshot status log console monitor screenshot exec edit cat argv doctor config reset' --arguments '(__vxm_guests)'
complete --command vxm --condition '__vxm_at 2 dsp' --arguments '(__vxm_guests)'
complete --command vxm --condition '__vxm_at 2 gpu' --arguments '(__vxm_devices)'
complete --command vxm --condition '__vxm_at 1 dsp' --arguments 'status console netjack-restart'
complete --command vxm --condition '__vxm_at 1 gpu' --arguments 'status passthrough reclaim'
complete --command vxm --condition '__vxm_at 2 snapshot' --arguments 'save load list delete'
complete --command vxm --condition '__fish_seen_subcommand_from cp' --arguments '(__vxm_guests | string replace --regex \'$\' :) spirit:'
complete --command vxm --condition '__fish_seen_subcommand_from cp; or __vxm_at 2 screenshot' --force-files

complete --command vxm --condition '__fish_seen_subcommand_from status list snapshot list-gpus doctor fingerprint cat gpu alias dsp' --long-option json --description 'print JSON'
complete --command vxm --condition '__fish_seen_subcommand_from status' --long-option watch --description 'again whenever something changes'
complete --command vxm --condition '__fish_seen_subcommand_from list' --long-option names --description 'names alone'
complete --command vxm --condition '__fish_seen_subcommand_from monitor' --long-option qmp --description 'JSON'
complete --command vxm --condition '__fish_seen_subcommand_from exec' --long-option timeout --exclusive
complete --command vxm --condition '__fish_seen_subcommand_from exec' --long-option no-input
complete --command vxm --condition '__fish_seen_subcommand_from exec' --long-option raw
complete --command vxm --condition '__fish_seen_subcommand_from shell' --long-option command --exclusive
complete --command vxm --condition '__fish_seen_subcommand_from alias' --arguments '(__vxm_guests)'
complete --command vxm --condition '__fish_seen_subcommand_from alias' --long-option list
complete --command vxm --condition '__fish_seen_subcommand_from alias' --long-option remove
complete --command vxm --condition '__fish_seen_subcommand_from alias' --long-option system
complete --command vxm --condition '__fish_seen_subcommand_from list-gpus' --long-option tree --description 'IOMMU groups'
complete --command vxm --condition '__fish_seen_subcommand_from config' --long-option set-gpu --exclusive --arguments '(__vxm_devices)'
complete --command vxm --condition '__fish_seen_subcommand_from config' --long-option enable-binding
complete --command vxm --condition '__fish_seen_subcommand_from config' --long-option disable-binding
complete --command vxm --condition '__fish_seen_subcommand_from init' --long-option gpu --exclusive --arguments '(__vxm_devices)'
complete --command vxm --condition '__fish_seen_subcommand_from init' --long-option preset --exclusive --arguments '(__vxm_presets)'
complete --command vxm --condition '__fish_seen_subcommand_from init' --long-option memory --exclusive
complete --command vxm --condition '__fish_seen_subcommand_from init' --long-option disk --exclusive
complete --command vxm --condition '__fish_seen_subcommand_from init' --long-option iso --require-parameter --force-files
complete --command vxm --condition '__fish_seen_subcommand_from init' --long-option cpus --exclusive
complete --command vxm --condition '__fish_seen_subcommand_from init' --long-option image --exclusive
complete --command vxm --condition '__fish_seen_subcommand_from init' --long-option user --exclusive --arguments '(__fish_complete_users)'
complete --command vxm --condition '__fish_seen_subcommand_from init' --long-option ssh-key --require-parameter --force-files
complete --command vxm --condition '__fish_seen_subcommand_from init' --long-option patience --exclusive
complete --command vxm --condition '__fish_seen_subcommand_from init' --long-option no-download
complete --command vxm --condition '__fish_seen_subcommand_from cat' --long-option all --description 'with defaults'
complete --command vxm --condition '__fish_seen_subcommand_from init reset' --long-option yes
complete --command vxm --condition '__fish_seen_subcommand_from init gpu reset' --long-option dry-run
complete --command vxm --condition '__fish_seen_subcommand_from init edit cat argv list-gpus gpu doctor fingerprint config reset' --long-option root --require-parameter --force-files
complete --command vxm --condition '__fish_seen_subcommand_from reset' --long-option disks
