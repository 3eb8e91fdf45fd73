// npm's basho-riak-client: a connection carries one command at a time. The client polls its
// own queue of commands with a timer, so this driver keeps it from queueing.
'use strict';

const { follow, limited } = require('./orders');
const Riak = require('basho-riak-client');

follow(async (host, port, connections) => {
    const node = new Riak.Node.Builder()
        .withRemoteAddress(host)
        .withRemotePort(port)
        .withMinConnections(connections)
        .withMaxConnections(connections)
        .build();
    const cluster = new Riak.Cluster.Builder().withRiakNodes([node]).build();
    const client = await new Promise((resolve, reject) => {
        const made = new Riak.Client(cluster, (error) => (error ? reject(error) : resolve(made)));
    });
    const pass = limited(connections);
    return {
        get: (bucket, key) => pass(() => new Promise((resolve, reject) => {
            client.fetchValue({ bucket, key }, (error, answer) => {
                if (error) {
                    reject(error);
                } else {
                    resolve(answer.values.length > 0 ? answer.values[0].value.length : 0);
                }
            });
        })),
        close: () => new Promise((resolve) => client.stop(() => resolve())),
    };
});
