// npm's no-riak: a pool of connections, each of which carries one call at a time.
'use strict';

const { follow } = require('./orders');
const Riak = require('no-riak');

follow(async (host, port, connections) => {
    const client = new Riak.Client({
        connectionString: `${host}:${port}`,
        // Otherwise the client first tries to parse every value as JSON.
        autoJSON: false,
        connectionBufSize: 16 * 1024,
        pool: { min: connections, max: connections },
    });
    return {
        get: (bucket, key) => client.get({ bucket, key })
            .then((answer) => (answer ? answer.content[0].value.length : 0)),
        close: () => client.pool.close(),
    };
});
