"""An application on the official SDK. It says on standard output what it was given, before it is acknowledged: a line
`event ID TYPE` each. Where the platform is comes in DINGTALK_OPENAPI_ENDPOINT, which the SDK reads by itself."""

import os

import dingtalk_stream
from dingtalk_stream import AckMessage


class Told(dingtalk_stream.EventHandler):
    async def process(self, event):
        print("event", event.headers.event_id, event.headers.event_type, flush=True)
        return AckMessage.STATUS_OK, "OK"


credential = dingtalk_stream.Credential(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
client = dingtalk_stream.DingTalkStreamClient(credential)
client.register_all_event_handler(Told())
client.start_forever()
