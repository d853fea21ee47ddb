/*
 * What the shells run on Tab: `contrailctl __complete WORD…`, one candidate a line and then, as kubectl expects it of
 * plugins, a line with a colon and a number.
 */

export const shells = ['bash', 'zsh', 'fish', 'kubectl'] as const;
export type Shell = (typeof shells)[number];

/** The script of a shell, for its start-up file; of kubectl, the program `kubectl_complete-contrail`. */
export const scripts: Readonly<Record<Shell, string>> = {
  bash: `# contrailctl completion bash > /etc/bash_completion.d/contrailctl
_contrailctl() {
  # Names have colons, at which bash would cut them.
  local words prefix candidate
  words=("\${COMP_LINE:0:COMP_POINT}x")
  read -r -a words <<< "\${words[0]}"
  words[-1]=\${words[-1]%x}
  prefix=\${words[-1]}
  COMPREPLY=()
  while IFS= read -r candidate; do
    [[ $candidate == :* ]] && continue
    [[ $prefix == *:* && $COMP_WORDBREAKS == *:* ]] && candidate=\${candidate#"\${prefix%"\${prefix##*:}"}"}
    COMPREPLY+=("$candidate")
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
}
complete -F _contrailctl contrailctl
`,
  zsh: `#compdef contrailctl
# contrailctl completion zsh > "\${fpath[1]}/_contrailctl"
_contrailctl() {
  local -a candidates
  candidates=("\${(@f)$(contrailctl __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  candidates=("\${(@)candidates:#:*}")
  compadd -a candidates
}
compdef _contrailctl contrailctl
`,
  fish: `# contrailctl completion fish > ~/.config/fish/completions/contrailctl.fish
function __contrailctl_complete
  set -l words (commandline -opc) (commandline -ct)
  contrailctl __complete $words[2..-1] 2>/dev/null | string match -v ':*'
end
complete -c contrailctl -f -a '(__contrailctl_complete)'
`,
  kubectl: `#!/bin/sh
# contrailctl completion kubectl > /usr/local/bin/kubectl_complete-contrail && chmod +x /usr/local/bin/kubectl_complete-contrail
exec kubectl contrail __complete "$@"
`,
};
