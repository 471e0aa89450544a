#include "tests/bench/queues/raw_nats.hpp"

#include <nats/nats.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

namespace rushproof::bench {

namespace {

void check(natsStatus status) {
    if (status == NATS_OK) { return; }
    std::fprintf(stderr, "libnats: %s\n", natsStatus_GetText(status));
    std::exit(1);
}

// A connection, and a stream that is emptied.
class Raw {
public:
    Raw(const std::string& url, int at_once) {
        natsOptions* options = nullptr;
        check(natsOptions_Create(&options));
        check(natsOptions_SetURL(options, url.c_str()));
        check(natsOptions_SetSendAsap(options, true));
        check(natsConnection_Connect(&connection_, options));
        natsOptions_Destroy(options);
        jsOptions own;
        jsOptions_Init(&own);
        own.PublishAsync.MaxPending = at_once;
        check(natsConnection_JetStream(&stream_, connection_, &own));
        jsStreamConfig config;
        jsStreamConfig_Init(&config);
        const char* subject = "raw.messages";
        config.Name = "RAW";
        config.Subjects = &subject;
        config.SubjectsLen = 1;
        config.MaxBytes = 64 << 20;
        config.Discard = js_DiscardNew;
        (void)js_DeleteStream(stream_, "RAW", nullptr, nullptr);
        check(js_AddStream(nullptr, stream_, &config, nullptr, nullptr));
    }
    ~Raw() {
        jsCtx_Destroy(stream_);
        natsConnection_Destroy(connection_);
    }
    Raw(const Raw&) = delete;
    Raw& operator=(const Raw&) = delete;

    void publish(int count, const std::string& body) {
        for (int number = 0; number < count; ++number) {
            const std::string id = std::to_string(number);
            jsPubOptions options;
            jsPubOptions_Init(&options);
            options.MsgId = id.c_str();
            check(js_PublishAsync(stream_, "raw.messages", body.data(),
                                  static_cast<int>(body.size()), &options));
        }
        check(js_PublishAsyncComplete(stream_, nullptr));
    }

    void consume(int count) {
        natsSubscription* subscription = nullptr;
        check(js_PullSubscribe(&subscription, stream_, "raw.messages", "raw", nullptr, nullptr,
                               nullptr));
        while (count > 0) {
            natsMsgList list;
            const natsStatus status =
                natsSubscription_Fetch(&list, subscription, 256, 1000, nullptr);
            if (status == NATS_TIMEOUT) { continue; }
            check(status);
            for (int index = 0; index < list.Count; ++index) {
                check(index + 1 == list.Count ? natsMsg_AckSync(list.Msgs[index], nullptr, nullptr)
                                              : natsMsg_Ack(list.Msgs[index], nullptr));
            }
            count -= list.Count;
            natsMsgList_Destroy(&list);
        }
        natsSubscription_Destroy(subscription);
    }

private:
    natsConnection* connection_ = nullptr;
    jsCtx* stream_ = nullptr;
};

}  // namespace

Seconds raw_publish(const std::string& url, int count, int at_once, const std::string& body) {
    Raw raw(url, at_once);
    const auto began = std::chrono::steady_clock::now();
    raw.publish(count, body);
    return std::chrono::steady_clock::now() - began;
}

Seconds raw_pass(const std::string& url, int count, int at_once, const std::string& body) {
    Raw publisher(url, at_once);
    const auto began = std::chrono::steady_clock::now();
    std::thread consumer([&] { publisher.consume(count); });
    publisher.publish(count, body);
    consumer.join();
    return std::chrono::steady_clock::now() - began;
}

}  // namespace rushproof::bench
