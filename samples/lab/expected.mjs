// Derives what a correct verdict must say from what the server, the agents and the relay logged and from the faults
// that the scenario injected; never from a capture, and never from lasthop. Throws where the logs contradict the
// injected fault: then the sample is no truth.

import assert from 'node:assert/strict';

const FURTHEST = ['delivered', 'ack-lost', 'reached-agent', 'stalled', 'not-forwarded', 'never-sent', 'inconclusive'];
const ms = (at) => Date.parse(at) + Number(at.slice(23, 26)) / 1000;

/**
 * @param notes { server, agents, lab } arrays of notes in time order
 * @param hops names, from the server outward
 * @param oneWay those of which one direction only was captured: no log tells what state such a capture can prove
 */
export function expectedFrom(notes, { hops, deadlineMs, capturedUntil, oneWay = [] }) {
  const { server, agents, lab } = notes;
  const outermost = hops.at(-1);
  const commands = new Map();
  const commandOf = (id, agent) => {
    const key = String(id);
    if (!commands.has(key)) commands.set(key, { id: key, agent, dispatch: null, offers: [] });
    return commands.get(key);
  };
  for (const entry of server) {
    if (entry.event === 'dispatch') commandOf(entry.id, entry.agent).dispatch = entry;
    if (entry.event === 'offer') commandOf(entry.id, entry.agent).offers.push(entry);
  }

  const faultAt = (agent, at) =>
    lab
      .filter((f) => f.event === 'fault' && f.agent === agent && ms(f.at) <= ms(at) && !(f.until && f.until < at))
      .at(-1);

  return [...commands.values()].map((command) => {
    const { id, agent, dispatch, offers } = command;
    const attempts = offers.map((offer) => attemptOf(offer));
    if (attempts.length === 0) {
      const fault = faultAt(agent, dispatch.at);
      assert.equal(fault?.outcome, 'never-sent', `${id} was asked for and never offered, but no fault says so`);
      return {
        id,
        agent,
        outcome: 'never-sent',
        lastHop: null,
        lostAt: hops[0],
        attempts: [],
        idIn: dispatch.idIn === 'response' && !dispatch.answered ? 'nowhere' : dispatch.idIn,
        why: `server log: dispatch at ${dispatch.at} (answered: ${dispatch.answered}), no offer; fault: ${fault.what}`,
      };
    }
    const best = attempts.reduce((a, b) => (FURTHEST.indexOf(b.outcome) < FURTHEST.indexOf(a.outcome) ? b : a));
    const same = attempts.filter((a) => a.outcome === best.outcome);
    const { n: _n, why, ...verdict } = same.find((a) => !a.late) ?? best;
    return { id, agent, ...verdict, attempts: attempts.map(({ why: _why, ...a }) => a), why };
  });

  function attemptOf(offer) {
    const { id, agent, attempt: n, conn, at } = offer;
    const isThis = (entry) => entry.agent === agent && entry.id === id && entry.attempt === n;
    const received = agents.find((entry) => entry.event === 'recv' && isThis(entry));
    const sent = agents.filter((entry) => /^(ack|result)-sent$/.test(entry.event) && isThis(entry));
    const answer = sent.length > 0 ? answerFor(id, sent[0]) : undefined;
    const fault = faultAt(agent, at);
    const base = { n, conn };

    if (answer) {
      const afterMs = ms(answer.at) - ms(at);
      assert.ok(Math.abs(afterMs - deadlineMs) > 0.1 * deadlineMs, `${id}: CommandAck too near to the deadline`);
      const late = afterMs > deadlineMs;
      return {
        ...base,
        outcome: 'delivered',
        lastHop: outermost,
        lostAt: null,
        late,
        states: all('tcp-acked'),
        why: `server log: ${answer.event} at ${answer.at}, ${afterMs.toFixed(1)} ms after the offer`,
      };
    }
    if (fault?.outcome === 'inconclusive') {
      return {
        ...base,
        outcome: 'inconclusive',
        lastHop: fault.lastHop ?? null,
        lostAt: null,
        states: fault.states,
        why: fault.what,
      };
    }
    assert.ok(ms(capturedUntil) - ms(at) > deadlineMs + 1500, `${id}: captures end before the deadline of ${n}`);
    if (sent.length > 0) {
      assert.equal(fault?.outcome, 'ack-lost', `${id}: acknowledged but not received, and no fault says so`);
      return {
        ...base,
        outcome: 'ack-lost',
        lastHop: outermost,
        lostAt: fault.lostAt,
        states: all('tcp-acked'),
        why: `agent log: ${sent[0].event} at ${sent[0].at}; server log: none arrived; fault: ${fault.what}`,
      };
    }
    if (received && fault?.outcome !== 'reached-agent') {
      assert.ok(received.ignored, `${id}: received, not ignored and not acknowledged`);
      return {
        ...base,
        outcome: 'reached-agent',
        lastHop: outermost,
        lostAt: 'agent',
        states: all('tcp-acked'),
        why: `agent log: attempt ${n} received at ${received.at} on its connection no. ${received.conn} and ignored`,
      };
    }
    assert.ok(!received || fault?.outcome === 'reached-agent', `${id}: received, in spite of the fault`);
    assert.ok(fault, `${id}: attempt ${n} never reached ${agent}, and no fault says why`);
    // Two processes' clocks may differ by some microseconds.
    const isDrop = (e) => e.event === 'relay-drop' && e.id === id && e.agent === agent;
    const drop = lab.find((e) => isDrop(e) && ms(e.at) >= ms(at) - 1);
    if (fault.outcome === 'not-forwarded') assert.ok(drop, `${id}: the relay did not note that it dropped it`);
    return {
      ...base,
      outcome: fault.outcome,
      ...(fault.lastHopAnyOf ? { lastHop: null, lastHopAnyOf: fault.lastHopAnyOf } : { lastHop: fault.lastHop }),
      lostAt: fault.lostAt,
      ...(fault.lostAtAnyOf ? { lostAtAnyOf: fault.lostAtAnyOf } : {}),
      states: fault.states ?? statesOf(fault),
      why: `agent log: attempt ${n} ${received ? `received at ${received.at}, not acknowledged` : 'never received'}; fault: ${fault.what}`,
    };
  }

  /** The answer that the server noted for what the agent sent: the n-th of this ID sent is the n-th received. */
  function answerFor(id, sent) {
    const event = sent.event === 'ack-sent' ? 'ack' : 'result';
    const order = agents.filter((e) => e.event === sent.event && e.id === id).indexOf(sent);
    return server.filter((e) => e.event === event && e.id === id)[order];
  }

  function all(state) {
    return Object.fromEntries(hops.filter((hop) => !oneWay.includes(hop)).map((hop) => [hop, state]));
  }

  /** What follows for each hop from where the fault was put; hops of which the logs cannot tell are left out. */
  function statesOf({ outcome, lostAt, lastHop, lastHopAnyOf }) {
    if (outcome === 'reached-agent') return all('tcp-acked');
    if (lastHopAnyOf || !lastHop) return {};
    const left = hops.indexOf(lastHop);
    return Object.fromEntries(
      hops.map((hop, i) => {
        if (i < left) return [hop, 'tcp-acked'];
        if (i > left) return [hop, 'absent'];
        return [hop, outcome === 'stalled' && lostAt.startsWith(`${hop}->`) ? 'sent-unacked' : 'tcp-acked'];
      }),
    );
  }
}
