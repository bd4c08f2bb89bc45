import ArgumentParser

/// What ArgumentParser's scripts do not know: options of every command may stand before it (`Place.hoisted`).
extension CompletionsCommand {
    /// ArgumentParser's script of a shell, and ours with it.
    static func script(for shell: CompletionShell) -> String {
        let script = NexusCtl.completionScript(for: shell) + "\n"
        switch shell {
        case .bash: return script + bashOptionsAhead
        case .zsh:
            // It ends with its first use, where the file itself is the function that zsh has loaded.
            guard let use = script.ranges(of: "\nif [[ \"${funcstack[1]}\"").last else { return script }
            return script[..<use.lowerBound] + zshOptionsAhead + script[use.lowerBound...]
        case .fish: return script + fishOptionsAhead
        default: return script
        }
    }

    private static let bashOptionsAhead = #"""

        # Completes as if the options ahead of the command were not there, for the nexusd that they name.
        _nexusctl_after_options() {
            local -x NEXUS_RUNTIME_DIRECTORY="${NEXUS_RUNTIME_DIRECTORY-}" NEXUS_STATE_DIRECTORY="${NEXUS_STATE_DIRECTORY-}"
            local -a words=() command=()
            local -i place=0 at=1 width
            local option value word
            # bash takes --runtime=DIR for three words, or for one where its COMP_WORDBREAKS say so: here it is two, or one.
            for word in "${!COMP_WORDS[@]}"; do
                if [[ "${COMP_WORDS[word]}" = '=' ]] && ((word < COMP_CWORD)); then
                    case "${COMP_WORDS[word - 1]}" in --runtime | --state | --color | --colour) continue ;; esac
                fi
                words+=("${COMP_WORDS[word]}")
                ((word == COMP_CWORD)) && place=$((${#words[@]} - 1))
            done
            while ((at < place)); do
                option="${words[at]%%=*}"
                case "${option}" in
                --runtime | --state | --color | --colour) ;;
                *) break ;;
                esac
                width=2
                value="${words[at + 1]}"
                [[ "${words[at]}" = *=* ]] && width=1 && value="${words[at]#*=}"
                ((at + width <= place)) || break
                value="${value/#\~/${HOME}}"
                case "${option}" in
                --runtime) NEXUS_RUNTIME_DIRECTORY="${value}" ;;
                --state) NEXUS_STATE_DIRECTORY="${value}" ;;
                esac
                ((at += width))
            done
            # The value of an option is that of any command's; what may stand behind `help` may stand in its place.
            if ((at + 1 == place)); then
                case "${words[at]}" in
                --runtime | --state | --color) command=(status) ;;
                help) ((at += 1)) ;;
                esac
            fi
            if ((at > 1 || ${#command[@]} > 0 || ${#words[@]} < ${#COMP_WORDS[@]})); then
                local -a COMP_WORDS=("${words[0]}" "${command[@]}" "${words[@]:at}")
                local -i COMP_CWORD="$((place - at + 1 + ${#command[@]}))"
                local COMP_LINE="${COMP_WORDS[*]}" typed="${COMP_WORDS[*]::COMP_CWORD + 1}"
                local -i COMP_POINT="${#typed}"
                set -- "${1}" "${2}" "${COMP_WORDS[COMP_CWORD - 1]}"
            fi
            _nexusctl "${@}"
        }
        complete -o filenames -F _nexusctl_after_options nexusctl

        """#

    private static let zshOptionsAhead = #"""

        # Completes as if the options ahead of the command were not there, for the nexusd that they name.
        (( ${+functions[_nexusctl_of_command]} )) || functions[_nexusctl_of_command]="${functions[_nexusctl]}"
        _nexusctl() {
            local -x NEXUS_RUNTIME_DIRECTORY="${NEXUS_RUNTIME_DIRECTORY-}" NEXUS_STATE_DIRECTORY="${NEXUS_STATE_DIRECTORY-}"
            local -i at=2 width
            local option value
            while ((at < CURRENT)); do
                option="${words[at]%%=*}"
                case "${option}" in
                --runtime | --state | --color | --colour) ;;
                *) break ;;
                esac
                width=2 value="${words[at + 1]}"
                [[ "${words[at]}" = *=* ]] && width=1 value="${words[at]#*=}"
                ((at + width <= CURRENT)) || break
                value="${(Q)value/#\~/${HOME}}"
                case "${option}" in
                --runtime) NEXUS_RUNTIME_DIRECTORY="${value}" ;;
                --state) NEXUS_STATE_DIRECTORY="${value}" ;;
                esac
                ((at += width))
            done
            # The value of an option is that of any command's; what may stand behind `help` may stand in its place.
            local -a command=()
            if ((at + 1 == CURRENT)); then
                case "${words[at]}" in
                --runtime | --state | --color) command=(status) ;;
                help) ((at += 1)) ;;
                esac
            fi
            if ((at > 2 || ${#command} > 0)); then
                words=("${words[1]}" "${command[@]}" "${(@)words[at,-1]}")
                ((CURRENT -= at - 2 - ${#command}))
            fi
            _nexusctl_of_command "${@}"
        }

        """#

    private static let fishOptionsAhead = #"""

        # Completes as if the options ahead of the command were not there, for the nexusd that they name.
        functions --query __nexusctl_all_tokens; or functions --copy __nexusctl_tokens __nexusctl_all_tokens
        functions --query __nexusctl_ask; or functions --copy __nexusctl_custom_completion __nexusctl_ask

        # How many of these words are options ahead of the command, with their values.
        function __nexusctl_ahead
            set -l at 2
            while test $at -le (count $argv)
                switch $argv[$at]
                case '--runtime=*' '--state=*' '--color=*' '--colour=*'
                    set at (math $at + 1)
                case --runtime --state --color --colour
                    test $at -lt (count $argv); or break
                    set at (math $at + 2)
                case '*'
                    break
                end
            end
            math $at - 2
        end

        function __nexusctl_tokens
            set -l tokens (__nexusctl_all_tokens $argv)
            if contains -- "$argv[1]" -p -pc
                for place in (seq (__nexusctl_ahead (__nexusctl_all_tokens -pc)))
                    set -e tokens[2]
                end
                # The value of an option is that of any command's; what may stand behind `help` may stand in its place.
                if test (count $tokens) -eq 2
                    switch $tokens[2]
                    case --runtime --state --color
                        set tokens $tokens[1] status $tokens[2]
                    case help
                        set -e tokens[2]
                    end
                end
            end
            printf '%s\n' $tokens
        end

        function __nexusctl_custom_completion
            set -l words (__nexusctl_all_tokens -pc)
            set -lx NEXUS_RUNTIME_DIRECTORY $NEXUS_RUNTIME_DIRECTORY
            set -lx NEXUS_STATE_DIRECTORY $NEXUS_STATE_DIRECTORY
            for place in (seq (__nexusctl_ahead $words))
                set -l value (string replace -r '^[^=]*=' '' -- $words[(math $place + 1)])
                string match -q -- '*=*' $words[(math $place + 1)]; or set value $words[(math $place + 2)]
                set value (string replace -r '^~' $HOME -- $value)
                switch $words[(math $place + 1)]
                case --runtime '--runtime=*'
                    set NEXUS_RUNTIME_DIRECTORY $value
                case --state '--state=*'
                    set NEXUS_STATE_DIRECTORY $value
                end
            end
            __nexusctl_ask $argv
        end

        """#
}
