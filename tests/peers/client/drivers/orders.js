// Drives the clients in JavaScript by the orders that ../src/order.rs formats.
'use strict';

const net = require('net');
const readline = require('readline');

const { BUCKET, KEY, VALUE_LEN } = process.env;
const WARM_UP_MS = 50;

// Forces TCP_NODELAY on clients that do not set it.
if (process.argv.includes('--nodelay')) {
    const connect = net.Socket.prototype.connect;
    net.Socket.prototype.connect = function (...args) {
        this.setNoDelay(true);
        return connect.apply(this, args);
    };
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const cpuNanos = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) * 1000;
};

// `open(host, port, connections)` returns a promise of a client with two methods:
// `get(bucket, key)`, which resolves to the length of the value, and `close()`.
async function run(open, host, port, inFlight, connections, ms) {
    const client = await open(host, port, connections);
    const every = inFlight > 1 ? 13 : 1;
    let [calls, counting, over] = [0, false, false];
    const times = [];
    const loop = async () => {
        let untilTimed = 1;
        while (!over) {
            let begun;
            if (counting && --untilTimed === 0) {
                untilTimed = every;
                begun = process.hrtime.bigint();
            }
            const length = await client.get(BUCKET, KEY);
            if (length !== Number(VALUE_LEN)) {
                over = true;
                throw new Error(`it got a value of ${length} bytes`);
            }
            calls += 1;
            if (begun !== undefined) {
                times.push(Number(process.hrtime.bigint() - begun));
            }
        }
    };
    const loops = Promise.all(Array.from({ length: inFlight }, loop));
    loops.catch(() => {}); // It is awaited below.
    await sleep(WARM_UP_MS);
    counting = true;
    const begun = { calls, cpu: cpuNanos(), at: process.hrtime.bigint() };
    await sleep(ms);
    const ended = { calls, cpu: cpuNanos(), at: process.hrtime.bigint() };
    over = true;
    await loops;
    await client.close();
    times.sort((a, b) => a - b);
    const at = (perCent) => times[Math.floor(times.length * perCent / 100)] || 0;
    const elapsed = Number(ended.at - begun.at);
    return `ran ${ended.calls - begun.calls} ${elapsed} ${Math.round(ended.cpu - begun.cpu)} ${at(50)} ${at(99)}`;
}

// Limits concurrency to `limit` calls, for clients whose own queue is slower.
exports.limited = (limit) => {
    let free = limit;
    const waiting = [];
    return async (act) => {
        if (free > 0) {
            free -= 1;
        } else {
            await new Promise((resolve) => waiting.push(resolve));
        }
        try {
            return await act();
        } finally {
            const next = waiting.shift();
            if (next) {
                next();
            } else {
                free += 1;
            }
        }
    };
};

exports.follow = async (open) => {
    console.log('ready');
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const [what, server, ...numbers] = line.split(' ');
        const at = server.lastIndexOf(':');
        const [host, port] = [server.slice(0, at), Number(server.slice(at + 1))];
        try {
            if (what !== 'run') {
                throw new Error(`it does not know \`${what}\``);
            }
            console.log(await run(open, host, port, ...numbers.map(Number)));
        } catch (error) {
            console.log(`no ${String(error).split('\n')[0]}`);
        }
    }
    process.exit(0);
};
