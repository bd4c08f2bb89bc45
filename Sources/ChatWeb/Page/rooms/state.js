// What a child's state means, in the words that `nexusctl status` has for it.

/** @param {number | null | undefined} ms */
function spoken(ms) { return ms === null || ms === undefined ? '' : ms < 100000 ? `${Math.ceil(ms / 1000)} s` : ms < 6000000 ? `${Math.round(ms / 60000)} min` : `${Math.round(ms / 3600000)} h`; }

/** @param {any} child one element of nexusd's `status` */
function offWords(child) {
  if (child.stopped_with_tree) return 'stopped with the tree';
  if (child.choice === 'off') return `stopped by command; nexusctl start ${child.name}`;
  if (!child.status && child.started_by) return `off until ${child.started_by} starts it${child.started_by === 'tunnel-worker' ? '; switch the tunnel above' : ''}`;
  return `${child.status || (child.enabled ? 'stopped by a worker' : 'off in the configuration')}; nexusctl start ${child.name}`;
}

/** @param {any} child */
function lastWords(child) {
  return child.last_end ? `${child.cause || child.last_end.cause}: ${child.last_end.exit}` : child.cause;
}

/**
 * Why it is not ready and what comes next; of one that is, what it says of itself.
 * @param {any} child one element of nexusd's `status`
 * @returns {string}
 */
export function stateWords(child) {
  const awaits = child.awaits ? `waits for ${child.awaits}` : '';
  const next = spoken(child.next_try_ms);
  const left = spoken(child.limit_ms);
  const limit = left && `${left} left`;
  /** @type {any[]} */
  let words;
  switch (child.state) {
    case 'off': words = [offWords(child)]; break;
    case 'waiting': words = [awaits || `waits for ${child.waits_for || 'what it requires'}`]; break;
    case 'scheduled': words = [child.cause ? lastWords(child) : '', next ? `next run in ${next}` : 'no time left in its calendar']; break;
    case 'delayed': words = [lastWords(child), next ? `next try in ${next}` : '']; break;
    case 'starting': words = [child.health, child.status, awaits || 'not ready yet', limit]; break;
    case 'stopping': words = [child.cause ? `stopping: ${child.cause}` : 'stopping', awaits, limit, child.status]; break;
    case 'unkillable': words = [`outlived SIGKILL; see process ${child.pid ?? '?'}`]; break;
    case 'parked': words = [lastWords(child), next ? `slow retry in ${next}` : `needs you: nexusctl why ${child.name}`]; break;
    case 'done': words = [child.last_end?.exit || 'finished']; break;
    default: words = [child.health ? `unhealthy: ${child.health}` : '', child.status];
  }
  if (child.restarts) words.push(`${child.restarts} restart${child.restarts === 1 ? '' : 's'}`);
  return words.filter(Boolean).join(' · ') || 'it says nothing of itself';
}
