// SPDX-License-Identifier: Apache-2.0
// A client that has never seen our .proto files: everything it knows comes from server reflection.
// Usage: node client.js TARGET FILTER. Prints one JSON object: the services, and what ListEvents says.
'use strict';
const grpc = require('@grpc/grpc-js');
const { GrpcReflection } = require('grpc-js-reflection-client');

const SERVICE = 'oombox.v1.EventService';

function call(client, method, request) {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + 20000;
    client[method](request, { deadline }, (error, response) =>
      error ? reject(error) : resolve(response));
  });
}

async function main(target, filter) {
  const credentials = grpc.credentials.createInsecure();
  const reflection = new GrpcReflection(target, credentials, {}, 'v1alpha');
  const services = await reflection.listServices();
  const descriptor = await reflection.getDescriptorBySymbol(SERVICE);
  const root = descriptor.getPackageObject({ keepCase: true, enums: String, longs: String });
  const client = new root.oombox.v1.EventService(target, credentials);
  const response = await call(client, 'ListEvents', { page_size: 10, filter, view: 'EVENT_VIEW_FULL' });
  const methods = (await reflection.listMethods(SERVICE)).map((method) => method.name);
  console.log(JSON.stringify({ services, methods, response }));
  client.close();
}

main(process.argv[2], process.argv[3]).catch((error) => {
  console.error(error.stack || String(error));
  process.exit(1);
});
