// An application on the official SDK. It says on standard output what it was given, before it is acknowledged: a line
// `event ID TYPE` each. The SDK says other things there, too.
import { DWClient, EventAck } from 'dingtalk-stream';

const { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env;
const client = new DWClient({ clientId, clientSecret });
client.registerAllEventListener(({ headers }) => {
  process.stdout.write(`event ${headers.eventId} ${headers.eventType}\n`);
  return { status: EventAck.SUCCESS };
});
client.connect();
