/** The process that makes copies of a descriptor: it sends back what it is sent (see `descriptor-copies`). */
process.on('message', (message, handle) => {
  process.send!(message, handle as never);
});
process.on('disconnect', () => process.exit(0));
